"""A first use-case file for a table of which nothing is known: `regatta init`. No Spark is needed here."""
