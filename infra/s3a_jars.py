"""Print the jars that spark-submit resolved of `spark.jars.packages`, a path a line."""

from pyspark import SparkConf, SparkContext

SparkContext._ensure_initialized()
print(SparkConf().get("spark.jars", "").replace(",", "\n").replace("file://", ""))
