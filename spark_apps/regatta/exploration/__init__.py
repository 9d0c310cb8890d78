"""What rows of the lake look like before any model: aggregated by Spark, given back as small pandas frames."""
