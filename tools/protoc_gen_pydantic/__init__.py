"""protoc plugin: frozen Pydantic models, server protocols and typed clients from .proto files."""
