"""One file a study; a study's first sentence is its question."""
