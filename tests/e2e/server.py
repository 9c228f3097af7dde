"""Serves a GGUF file with llama.cpp's own server, on a free port of loopback, until standard input closes.

Arguments: the file, how many replies are written at once, threads. Prints the address when it answers.
"""

import sys

import xllamacpp

# Tokens for one question with its reply. The server divides its context among those that it answers at once.
CONTEXT = 2048


def main(model: str, slots: int, threads: int) -> None:
    params = xllamacpp.CommonParams()
    params.model.path = model
    # The name that replies come under; else it is the file's path.
    params.model_alias = {"smollm2-135m-instruct"}
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.n_parallel = slots
    params.n_ctx = slots * CONTEXT
    # They wait for each other in a loop: with more threads than idle cores, a token takes seconds.
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    # Returns once the model is loaded, or raises.
    server = xllamacpp.Server(params)
    print(server.listening_address, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
