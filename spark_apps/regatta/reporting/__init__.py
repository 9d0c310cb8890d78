"""What a run looks like to people: charts from small frames, and one page that holds them all. No Spark is needed."""
