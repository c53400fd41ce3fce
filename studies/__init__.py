"""One file per study; its first sentence is the study's question."""
