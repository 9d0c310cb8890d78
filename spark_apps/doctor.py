"""Say what will go wrong with the newest delivery, by its first rows and before any training.

spark-submit ... spark_apps/doctor.py --config conf/house_prices.yaml
"""

from __future__ import annotations

from regatta.contract import preflight
from regatta.contract.trial import check_contract, check_inputs
from regatta.diagnosis.examine import examine
from regatta.diagnosis.findings import Finding, in_order
from regatta.diagnosis.rows import look
from regatta.errors import InputError
from regatta.lake.deliveries import deliveries
from regatta.runtime.job import Job, run
from regatta.runtime.progress import result, step


def main(job: Job) -> None:
    use_case, lake = job.use_case, job.lake
    source = use_case.source("train")
    landed = deliveries(lake.store, str(source), job.as_of)
    if not landed:
        raise InputError(
            f"nothing has been landed in {source}",
            place=use_case.use_case,
            way_out=f"regatta land {use_case.use_case} FILE --delivery ID",
        )
    newest = landed[-1]
    inspected = preflight.inspect(lake, newest)
    if isinstance(inspected, preflight.Broken):
        found = [Finding(f"delivery {newest.delivery}", inspected.reason, stops=True)]
        said = f"delivery {newest.delivery}: it is refused whole"
    else:
        check_contract(job.spark, use_case)
        check_inputs(job.spark, use_case.modelled)
        with step("looking at the first rows"):
            looked = look(job.spark, lake.store, use_case, inspected)
        found = in_order(examine(use_case, looked))
        said = f"delivery {newest.delivery}: looked at {looked.count:,} of {looked.of:,} rows"
    result(f"{use_case.use_case}, {said}")
    for finding in found:
        result(str(finding))
    if not found:
        result("ok    nothing was found that would go wrong")
    if stopping := sum(finding.stops for finding in found):
        things = "thing" if stopping == 1 else "things"
        raise InputError(
            f"{stopping} {things} will go wrong", place=use_case.use_case, way_out="mend what is WRONG above"
        )


if __name__ == "__main__":
    run("doctor", main)
