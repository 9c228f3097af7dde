"""`harness serve`, spoken to by the official client of OpenAI: what it offers, and what it refuses by name."""

import json

from common import MODEL, lines


def check(url: str, run) -> None:
    """Replies in pieces, several, cut and stopped, against the whole one; then every kind of refusal."""
    import openai

    client = openai.OpenAI(base_url=url, api_key="none", max_retries=0)
    assert client.models.retrieve(MODEL).id == MODEL and MODEL in [model.id for model in client.models.list()]
    record = lines(run / "records.jsonl")[0]
    asked = {"model": MODEL, "messages": [{"role": "user", "content": "What stands at ;;INSPECT?\n" + record["program"]}]}
    create = client.chat.completions.create
    whole = create(**asked)
    text = whole.choices[0].message.content
    assert text and whole.choices[0].finish_reason == "stop"

    pieces = list(create(**asked, stream=True, stream_options={"include_usage": True}))
    assert "".join(piece.choices[0].delta.content or "" for piece in pieces if piece.choices) == text
    assert len(pieces) > 3 and pieces[-1].usage == whole.usage and {piece.id for piece in pieces} == {whole.id}
    with client.chat.completions.stream(**asked) as stream:
        assert stream.get_final_completion().choices[0].message.content == text

    several = create(**asked, n=3)
    assert [choice.index for choice in several.choices] == [0, 1, 2] and several.choices[0].message.content == text
    cut = create(**asked, max_completion_tokens=2).choices[0]
    assert (cut.message.content, cut.finish_reason) == (text[:8], "length"), cut
    stopped = create(**asked, stop=["\n", text[5:9]]).choices[0]
    assert stopped.finish_reason == "stop" and text.startswith(stopped.message.content)
    assert len(stopped.message.content) <= 5

    for name, more in {
        "tools": {"tools": [{"type": "function", "function": {"name": "f"}}]},
        "logprobs": {"logprobs": True},
        "response_format": {"response_format": {"type": "json_object"}},
        "n": {"n": 0},
        "no_such_parameter": {"extra_body": {"no_such_parameter": 1}},
    }.items():
        refused(openai.BadRequestError, name, lambda more=more: create(**asked, **more))
    refused(openai.NotFoundError, "does not exist", lambda: create(**{**asked, "model": "sim/nobody"}))
    refused(openai.NotFoundError, "does not exist", lambda: client.models.retrieve("sim/nobody"))
    huge = {**asked, "messages": [{"role": "user", "content": "x" * (3 << 20)}]}
    assert refused(openai.APIStatusError, "length limit", lambda: create(**huge)).status_code == 413
    print("serve: streams, several replies, limits, stops and refusals, by OpenAI's client", flush=True)


def refused(kind: type, told: str, call):
    """The error of this kind that a call ends in; its body is JSON and says this."""
    try:
        call()
    except kind as error:
        assert told in json.dumps(error.body), error.body
        return error
    raise SystemExit(f"{told} was not refused")
