"""What the first cell of a notebook needs: a session on the lake, a use case's lake, mistakes told in a sentence.

from regatta.notebook import session
spark = session()
"""

from regatta.notebook.session import lake_of, session

__all__ = ["lake_of", "session"]
