"""Make the lake's bucket, and the account of each identity with the secret that the environment holds for it.

What `regatta up` does on one machine, for containers: as MinIO's root, once before anything else.
"""

import os

from regatta.address import lake_root
from regatta.runtime.identities import Identity, establish


def main() -> None:
    """Do it; harmless where it was done before, and secrets that were changed are changed."""
    establish(
        os.environ["AWS_ENDPOINT_URL"],
        (os.environ["MINIO_ROOT_USER"], os.environ["MINIO_ROOT_PASSWORD"]),
        lake_root(),
        {identity: os.environ[f"{identity.upper()}_SECRET"] for identity in Identity},
        anew=True,
    )


if __name__ == "__main__":
    main()
