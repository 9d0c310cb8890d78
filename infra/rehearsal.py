"""What jobs do, in small and without a lake, so that Spark loads the classes that they will need.

Run by `make setup`, with a JVM that archives these classes (regatta/runtime/class_archive.py).
"""

import tempfile
from pathlib import Path

from py4j.protocol import Py4JJavaError
from pyspark.ml import Pipeline, PipelineModel
from pyspark.ml.feature import MinMaxScaler, OneHotEncoder, SQLTransformer, StringIndexer, VectorAssembler
from pyspark.ml.regression import LinearRegression, RandomForestRegressor
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

NOWHERE = {  # S3A is loaded as far as a connection that is refused at once
    "fs.s3a.endpoint": "http://127.0.0.1:9",
    "fs.s3a.access.key": "none",
    "fs.s3a.secret.key": "none",
    "fs.s3a.attempts.maximum": "1",
    "fs.s3a.retry.limit": "0",
}


def main() -> None:
    """Read, group, learn, write and load again."""
    spark = SparkSession.builder.appName("rehearsal").getOrCreate()
    with tempfile.TemporaryDirectory() as folder:
        csv = Path(folder, "rows.csv")
        csv.write_text("id,kind,size,price\n" + "".join(f"{n},k{n % 5},{n},{n * 3}\n" for n in range(200)))
        text = spark.read.csv(str(csv), header=True, multiLine=True, escape='"')
        numbers = [F.expr(f"try_cast({name} AS double) {name}") for name in ("size", "price")]
        typed = text.select("id", "kind", *numbers)
        typed.repartition(2, "id").sortWithinPartitions("id").write.parquet(f"{folder}/rows")
        rows = spark.read.parquet(f"{folder}/rows").localCheckpoint()
        rows.groupBy("kind").agg(F.count("*"), F.avg("price")).collect()
        stages = [
            SQLTransformer(statement="SELECT *, log1p(size) AS log_size FROM __THIS__"),
            StringIndexer(inputCol="kind", outputCol="kind_index", handleInvalid="keep"),
            OneHotEncoder(inputCols=["kind_index"], outputCols=["kind_vector"]),
            VectorAssembler(inputCols=["log_size", "kind_vector"], outputCol="raw"),
            MinMaxScaler(inputCol="raw", outputCol="features"),
        ]
        features = Pipeline(stages=stages).fit(rows)
        forest = RandomForestRegressor(labelCol="price", numTrees=2, seed=1)
        for learner in (LinearRegression(labelCol="price"), forest):
            model = PipelineModel([*features.stages, learner.fit(features.transform(rows))])
            place = f"{folder}/{learner.uid}"
            model.write().save(place)
            PipelineModel.load(place).transform(rows).select("id", "prediction").write.parquet(
                f"{place}_scored"
            )
        for name, value in NOWHERE.items():
            spark.sparkContext._jsc.hadoopConfiguration().set(name, value)
        try:
            spark.read.parquet("s3a://nowhere/rows")
        except Py4JJavaError:
            pass
        else:
            raise AssertionError("there is something at port 9")


if __name__ == "__main__":
    main()
