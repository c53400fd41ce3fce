"""The example beside the model of a forecast: stock Keras, pandas and nothing of this package."""

from collections.abc import Mapping
from typing import Any

FILE = "forecast.py"

_CODE = '''"""Forecast with stock Keras alone: python forecast.py newer.csv"""
import json, sys
import keras, numpy as np, pandas as pd

about = json.load(open("params.json"))
scaling, facts = about["scaling"], about["forecast"]
length, horizon = about["hyperparameters"]["sequence_length"], facts["horizon"]
table = pd.read_csv(sys.argv[1]){chosen}.sort_values(facts["time_column"])
{channels}
x = (rows.to_numpy(float)[-length:] - scaling["x_mean"]) / scaling["x_std"]
model = keras.models.load_model("model.keras")
y = model.predict(x[None].astype("float32"), verbose=0).reshape(horizon, -1)
print(pd.DataFrame(y * scaling["y_std"] + scaling["y_mean"], columns=facts["targets"]))
'''


def code(params: Mapping[str, Any]) -> str:
    """The example for a model with these `params.json`."""
    return _CODE
