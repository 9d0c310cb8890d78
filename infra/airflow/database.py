"""Make or update Airflow's database, and the pool that all Spark jobs share. Run with Airflow's own Python."""

from airflow.models.pool import Pool
from airflow.utils.db import initdb
from airflow.utils.session import create_session

POOL = "spark"
SLOTS = 1  # one machine runs one job at a time; more are given in the UI or by `airflow pools set`


def main() -> None:
    """Leave a pool alone that is there already."""
    initdb()
    with create_session() as session:
        if Pool.get_pool(POOL, session=session) is None:
            Pool.create_or_update_pool(
                POOL, SLOTS, "Spark jobs, of all use cases", include_deferred=False, session=session
            )


if __name__ == "__main__":
    main()
