"""Writes the data of the template `text` into a folder: sentences about two topics out of a small grammar, and a tokenizer of their words. Nothing is
anybody else's text.
    .venv-text/bin/python scripts/python/text_template.py templates/init/text
"""

import csv
import pathlib
import random
import string
import sys

from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]
COOKING = {
    "who": ["the cook", "my aunt", "a guest", "the baker", "our neighbour"],
    "does": ["stirs", "tastes", "peels", "salts", "warms up", "slices", "serves"],
    "what": ["the soup", "a loaf of bread", "some onions", "the stew", "ripe tomatoes", "an apple pie", "the noodles"],
    "how": ["with a wooden spoon", "over a low flame", "until it is soft", "in a large pan", "before the guests arrive", "with plenty of butter"],
}
SAILING = {
    "who": ["the skipper", "my uncle", "a guest", "the crew", "our neighbour"],
    "does": ["hoists", "mends", "steers", "anchors", "rows", "turns", "launches"],
    "what": ["the sail", "an old boat", "the ferry", "a wooden hull", "the dinghy", "two barges", "the yacht"],
    "how": ["against the wind", "beyond the harbour", "until the tide is low", "in heavy rain", "before the storm arrives", "with plenty of rope"],
}
FRAMES = ["{who} {does} {what} {how}.", "{how}, {who} {does} {what}.", "Look: {who} {does} {what}!", "Who {does} {what} {how}?"]


def sentences(grammar: dict[str, list[str]], count: int, draw: random.Random) -> list[str]:
    found: dict[str, None] = {}
    while len(found) < count:
        text = draw.choice(FRAMES).format(**{part: draw.choice(words) for part, words in grammar.items()})
        found[text[0].upper() + text[1:]] = None
    return list(found)


def tokenizer(texts: list[str]) -> Tokenizer:
    """Whole words of the texts; any other word in letters."""
    normalizer = normalizers.BertNormalizer(lowercase=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    words = {word for text in texts for word, _ in splitter.pre_tokenize_str(normalizer.normalize_str(text))}
    letters = string.ascii_lowercase + string.digits
    tokens = SPECIAL + sorted(words | set(letters)) + [f"##{letter}" for letter in letters]
    made = Tokenizer(models.WordPiece({token: i for i, token in enumerate(tokens)}, unk_token="[UNK]"))
    made.normalizer, made.pre_tokenizer, made.decoder = normalizer, splitter, decoders.WordPiece()
    made.add_special_tokens(SPECIAL)
    made.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[(token, made.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    )
    made.enable_padding(pad_id=made.token_to_id("[PAD]"), pad_token="[PAD]")
    return made


def main(folder: pathlib.Path) -> None:
    draw = random.Random(7)
    rows = [(text, "cooking") for text in sentences(COOKING, 120, draw)] + [(text, "sailing") for text in sentences(SAILING, 120, draw)]
    draw.shuffle(rows)
    for name, part in (("train", rows[:180]), ("test", rows[180:])):
        with open(folder / "notes" / f"{name}.csv", "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["text", "asks", "topic"])
            writer.writerows((text, "yes" if text.endswith("?") else "no", topic) for text, topic in part)
    tokenizer([text for text, _ in rows[:180]]).save(str(folder / "tokenizer.json"), pretty=False)


if __name__ == "__main__":
    target = pathlib.Path(sys.argv[1])
    (target / "notes").mkdir(parents=True, exist_ok=True)
    main(target)
