"""MLlib's regression trees, grown here: node for node the same, in a fraction of the time.

A fit is a short way through these files:

| step | file | replays, in Spark 4.1.2 |
|---|---|---|
| rows come to the driver | `rows` | `util/MetadataUtils.scala` |
| values become bins | `binning`, `table` | `RandomForest.findSplits`, `TreePoint.scala`, `RDD.sample` |
| each tree gets its rows | `bags` | `BaggedPoint.scala` |
| nodes are taken in groups, features drawn for them | `frontier` | `RandomForest.selectNodesToSplit` |
| rows are added up by feature and bin | `histograms` | `DTStatsAggregator.scala`, `Variance.scala` |
| the best split is chosen | `best_split` | `RandomForest.binsToBestSplit` |
| children are made | `frontier`, `scala_order` | `RandomForest.findBestSplits`, Scala's maps |
| all of that until no node is left | `growing`, `nodes` | `RandomForest.runBagged` |
| as a forest, or boosted | `learning` | `GradientBoostedTrees.scala` |
| judged, or written as a model | `predicting`, `writing` | `treeModels.scala` |

`search` shares work in a grid; `parameters` and `proof` say what the engine may not do, and `canary` compares it with
the Spark at hand in every run. `random_numbers` holds the generators. Whatever cannot be done is `Unsupported`,
and MLlib does it. What is compiled (`compiled`, `compiling`) has no types in its signature: numba takes them
from the call.
"""
