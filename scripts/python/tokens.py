"""Token ids of texts, as the package tokenizers makes them, and tokenizers of other kinds to compare by.
    .venv-text/bin/python scripts/python/tokens.py ids request.json     {"tokenizer", "length", "pad", "texts"} to a list of lists
    .venv-text/bin/python scripts/python/tokens.py make folder texts.json     trains one of each kind on the texts; its name to what it is
"""

import json
import pathlib
import sys

from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]"]

SPLITTERS = {
    "Whitespace": pre_tokenizers.Whitespace(),
    "WhitespaceSplit": pre_tokenizers.WhitespaceSplit(),
    "Punctuation and Digits": pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Punctuation(), pre_tokenizers.Digits(True)]),
    "Split": pre_tokenizers.Split(Regex(r"\s+"), "removed"),
}


def ids(request: dict) -> list[list[int]]:
    made = Tokenizer.from_file(request["tokenizer"])
    written = json.loads(pathlib.Path(request["tokenizer"]).read_text())
    side = lambda part: ((written.get(part) or {}).get("direction") or "Right").lower()
    made.enable_truncation(request["length"], direction=side("truncation"))
    pad = request["pad"]
    made.enable_padding(length=request["length"], direction=side("padding"), pad_id=made.token_to_id(pad), pad_token=pad)
    return [encoding.ids for encoding in made.encode_batch(request["texts"])]


def around(made: Tokenizer) -> Tokenizer:
    pair = [(token, made.token_to_id(token)) for token in ("[CLS]", "[SEP]")]
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A [SEP]", special_tokens=pair)
    return made


def make(folder: pathlib.Path, texts: list[str]) -> list[str]:
    quiet = {"show_progress": False, "special_tokens": SPECIAL}
    bpe = Tokenizer(models.BPE(unk_token="[UNK]"))
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    bpe.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=400, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), **quiet))
    unigram = Tokenizer(models.Unigram())
    unigram.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    unigram.pre_tokenizer = pre_tokenizers.Metaspace()
    unigram.train_from_iterator(texts, trainers.UnigramTrainer(vocab_size=120, unk_token="[UNK]", **quiet))
    piece = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    piece.normalizer = normalizers.BertNormalizer(lowercase=True)
    piece.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    piece.train_from_iterator(texts, trainers.WordPieceTrainer(vocab_size=200, **quiet))
    bert = Tokenizer(models.WordPiece(piece.get_vocab(), unk_token="[UNK]"))
    bert.add_special_tokens(SPECIAL)
    bert.normalizer, bert.pre_tokenizer = normalizers.BertNormalizer(lowercase=False), pre_tokenizers.Whitespace()
    bert.post_processor = processors.BertProcessing(("[SEP]", bert.token_to_id("[SEP]")), ("[CLS]", bert.token_to_id("[CLS]")))
    bert.enable_truncation(8, direction="left")
    bert.enable_padding(direction="left", pad_id=bert.token_to_id("[PAD]"), pad_token="[PAD]")
    made = {"byte-level BPE": bpe, "Unigram": around(unigram), "WordPiece": around(piece), "BERT, cut and padded on the left": bert}
    for name, splitter in SPLITTERS.items():
        level = Tokenizer(models.WordLevel(unk_token="[UNK]"))
        level.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.StripAccents()]) if name == "WhitespaceSplit" else normalizers.NFC()
        level.pre_tokenizer = splitter
        level.train_from_iterator(texts, trainers.WordLevelTrainer(vocab_size=300, **quiet))
        made[f"WordLevel, {name}"] = around(level)
    for i, one in enumerate(made.values()):
        one.save(str(folder / f"{i}.json"))
    return list(made)


if __name__ == "__main__":
    what, first, *rest = sys.argv[1:]
    if what == "ids":
        print(json.dumps(ids(json.loads(pathlib.Path(first).read_text()))))
    else:
        print(json.dumps(make(pathlib.Path(first), json.loads(pathlib.Path(rest[0]).read_text()))))
