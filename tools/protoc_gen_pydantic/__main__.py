"""What protoc runs: a CodeGeneratorRequest comes in on stdin, a CodeGeneratorResponse goes out on stdout."""

import sys

from google.protobuf.compiler import plugin_pb2

from protoc_gen_pydantic.plugin import respond

if __name__ == "__main__":
    request = plugin_pb2.CodeGeneratorRequest.FromString(sys.stdin.buffer.read())
    sys.stdout.buffer.write(respond(request).SerializeToString())
