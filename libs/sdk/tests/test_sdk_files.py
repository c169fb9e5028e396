"""File fields in the test world: what is attached is in the answer, and what is not is refused as the service would."""

import pytest
import sdk_files as author
from orkestra.sdk.testing import OrkestraTest
from orkestra.wire import InvalidArgument

PDF = b"%PDF-1.7"


async def test_an_answer_names_files_that_people_attached() -> None:
    async with OrkestraTest() as env:
        run = await env.start(author.travel_costs, author.Trip(traveller="Ana"))
        task = await env.next_task()
        receipt = await task.attach("C:\\train.pdf", PDF, by="ben", field="receipts")
        assert task.content_of(receipt) == PDF
        with pytest.raises(InvalidArgument, match="The field takes"):
            await task.attach("train.txt", b"x", by="ben", field="receipts")
        with pytest.raises(InvalidArgument, match="are not taken"):
            await task.attach("train.exe", b"MZ", by="ben")
        elsewhere = receipt | {"attachment_id": f"attachment_{'0' * 32}"}
        with pytest.raises(InvalidArgument) as refused:
            await task.complete(by="ben", receipts=[receipt, elsewhere])
        assert [(one.path, one.code) for one in refused.value.errors] == [("data.receipts[1]", "unknown_file")]
        await task.complete(by="ben", receipts=[{"attachment_id": receipt["attachment_id"]}])
        assert await run.result() == ["train.pdf"]
