"""A table of texts of three classes, which a bag of words tells apart."""

import csv
import random
from pathlib import Path

TOPICS = {
    "sport": ["match", "goal", "team", "coach", "league", "score", "season", "player"],
    "food": ["soup", "bread", "cook", "salt", "oven", "recipe", "taste", "kitchen"],
    "money": ["bank", "loan", "price", "market", "share", "tax", "profit", "invest"],
}
COMMON = [f"word{number}" for number in range(40)]


def write_topics(file: Path, rows: int = 300) -> Path:
    """Texts of 8 to 23 words, two of which tell the class."""
    chance = random.Random(3)
    with file.open("w", newline="") as opened:
        table = csv.writer(opened)
        table.writerow(["text", "label"])
        for _ in range(rows):
            label = chance.choice(sorted(TOPICS))
            words = chance.choices(COMMON, k=chance.randint(8, 23))
            for place in chance.sample(range(len(words)), 2):
                words[place] = chance.choice(TOPICS[label])
            table.writerow([" ".join(words), label])
    return file
