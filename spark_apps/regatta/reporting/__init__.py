"""What the lake holds as people see it: tables, charts from small frames, and a page of a run. No Spark is needed."""
