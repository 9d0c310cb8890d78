"""What will go wrong with a delivery, said before any training: `regatta doctor USE_CASE`."""
