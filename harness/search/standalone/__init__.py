"""What stands beside a trained model, so that it can be used without this package. No Keras here.

`predict_texts.py` and `predict_numbers.py` are copied as they are, under the name `predict.py`:
they need Keras, NumPy and the standard library alone, and import nothing of this package.
"""
