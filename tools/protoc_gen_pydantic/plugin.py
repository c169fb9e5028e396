"""Answer protoc: the generated files, or every refusal at once."""

from google.protobuf.compiler.plugin_pb2 import CodeGeneratorRequest, CodeGeneratorResponse

from protoc_gen_pydantic.emit import emit
from protoc_gen_pydantic.names import Names
from protoc_gen_pydantic.subset import refusals


def respond(request: CodeGeneratorRequest) -> CodeGeneratorResponse:
    """Generate one Python module per file; a file outside the subset makes the whole an error."""
    response = CodeGeneratorResponse(supported_features=CodeGeneratorResponse.FEATURE_PROTO3_OPTIONAL)
    files = [file for file in request.proto_file if file.name in request.file_to_generate]
    names = Names(request.proto_file)
    problems = [problem for file in files for problem in refusals(file, names)]
    if problems:
        response.error = "\n".join(("outside the subset of one shape:", *problems))
        return response
    for file in files:
        response.file.add(name=file.name.removesuffix(".proto") + ".py", content=emit(file, names))
    return response
