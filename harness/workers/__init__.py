"""Where trainings run: worker processes or Ray actors, and the messages to and from them."""
