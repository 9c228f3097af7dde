# lm-evaluation-harness.


def process_results(doc, results):
    """The metrics of one item: is all of it right, could an answer be read, which share of its values is right."""
    graded = grade(results[0], doc["answer"])
    answered = graded["wrong_share"] is not None
    return {
        "acc": float(graded["verdict"] == "correct"),
        "answered": float(answered),
        "slots_right": 1.0 - graded["wrong_share"] if answered else 0.0,
    }
