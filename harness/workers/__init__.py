"""Where trainings happen: the messages, and the places that take them. No Keras on this side."""
