"""How values travel to and from Temporal: as Pydantic writes and reads them."""

from temporalio.contrib.pydantic import PydanticPayloadConverter
from temporalio.converter import CompositePayloadConverter, DataConverter

_converters = tuple(PydanticPayloadConverter().converters.values())


class SharedPayloadConverter(CompositePayloadConverter):
    """Temporal's Pydantic converter, whose type adapters serve all runs: Temporal makes a converter for each run."""

    def __init__(self) -> None:
        super().__init__(*_converters)


data_converter = DataConverter(payload_converter_class=SharedPayloadConverter)
