"""The example beside the model of a forecast: stock Keras, pandas and nothing of this package."""

from collections.abc import Mapping
from typing import Any

_READERS = {
    ".tsv": 'pd.read_csv(sys.argv[1], sep="\\t")',
    ".parquet": "pd.read_parquet(sys.argv[1])",
    ".jsonl": "pd.read_json(sys.argv[1], lines=True)",
    ".ndjson": "pd.read_json(sys.argv[1], lines=True)",
}


def code(params: Mapping[str, Any]) -> str:
    """The example for a model with these `params.json`: it forecasts what follows a table."""
    facts = params["forecast"]
    suffix = "." + str(facts.get("file", "")).rpartition(".")[2].lower()
    reader = _READERS.get(suffix, "pd.read_csv(sys.argv[1])")
    usage = "python forecast.py newer.csv"
    of_series: list[str] = []
    if facts.get("series_column"):
        usage += " SERIES"
        of_series = ['table = table[table[facts["series_column"]].astype(str) == sys.argv[2]]']
    sort = []
    if facts.get("time_column"):
        key = "" if isinstance(facts["offset"], float) else ", key=pd.to_datetime"
        sort = [f'table = table.sort_values(facts["time_column"]{key})']
    lines = [
        f'"""Forecast with stock Keras alone: {usage}"""',
        "import json, sys",
        "import keras, numpy as np, pandas as pd",
        "",
        'about = json.load(open("params.json"))',
        'facts, scaling = about["forecast"], about["scaling"]',
        'length, horizon = about["hyperparameters"]["sequence_length"], facts["horizon"]',
        f"table = {reader}",
        *of_series,
        *sort,
        'rows = table[facts["targets"] + facts["inputs"] + facts["known"]].astype(float)',
        *(_known() if facts["known"] else []),
        *(_calendar(facts) if facts["calendar"] else []),
        'last = rows.dropna(subset=facts["targets"])[facts["channels"]].to_numpy()[-length:]',
        'x = (last - scaling["x_mean"]) / scaling["x_std"]',
        'y = keras.models.load_model("model.keras").predict(x[None].astype("float32"), verbose=0)',
        'y = y.reshape(horizon, -1) * scaling["y_std"] + scaling["y_mean"]',
        'print(pd.DataFrame(y, columns=facts["targets"]).to_csv(index=False))',
    ]
    return "\n".join(lines) + "\n"


def _known() -> list[str]:
    return [
        'for name in facts["known"]:',
        '    rows[f"{name}, {horizon} later"] = rows[name].shift(-horizon)',
    ]


def _calendar(facts: Mapping[str, Any]) -> list[str]:
    """The features of the date, by their names in `channels`."""
    parts = {
        "time of day": "of_day",
        "day of week": "(time.dt.day_of_week + of_day) / 7",
        "day of year": "(time.dt.day_of_year - 1 + of_day) / 365.25",
    }
    used = {name: part for name, part in parts.items() if f"sine of {name}" in facts["channels"]}
    return [
        'time = pd.to_datetime(table[facts["time_column"]])',
        "of_day = (time - time.dt.normalize()).dt.total_seconds() / 86400",
        *(
            f'rows["{wave} of {name}"] = np.{function}(2 * np.pi * {part})'
            for name, part in used.items()
            for wave, function in (("sine", "sin"), ("cosine", "cos"))
        ),
    ]
