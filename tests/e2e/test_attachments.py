"""A file on its whole way: attached by one, read by another, named in an answer, over REST and the client."""

import secrets

import pytest
from orkestra.sdk import Client
from orkestra.testkit.stack import Stack
from orkestra.v1.task import CreateTaskRequest
from orkestra.wire import InvalidArgument, NotFound, TooLarge

pytestmark = pytest.mark.xdist_group("stack")

FORM = {"receipts": {"type": "file", "accept": [".pdf"], "max_size": 3_000_000, "required": True}}


async def test_a_file_is_attached_read_named_in_an_answer_and_hidden_from_other_tenants(stack: Stack) -> None:
    content = b"%PDF-1.7\n" + secrets.token_bytes(2_500_000)
    address, keys = stack.info["rest"], stack.info["api_keys"]
    ann = next(user for user in stack.info["users"] if user["email"] == "ann@demo.example")
    async with (
        Client(address, keys["agent"]) as agent,
        await Client.sign_in(address, ann["email"], ann["password"], tenant="demo") as person,
    ):
        asked = CreateTaskRequest(title="What did it cost?", assignee=ann["email"], form=FORM)
        task = await agent.create_task(asked)
        given = await agent.attach(task.task_id, "terms.txt", b"Terms")
        with pytest.raises(InvalidArgument, match="The field takes"):
            await person.attach(task.task_id, "note.txt", b"x", field="receipts")
        with pytest.raises(TooLarge):
            await person.attach(task.task_id, "big.pdf", b"%PDF-" + bytes(3_000_000), field="receipts")
        file = await person.attach(task.task_id, "Beleg \u00e4.pdf", content, field="receipts", request_id="one")
        assert (
            await person.attach(task.task_id, "Beleg \u00e4.pdf", content, field="receipts", request_id="one") == file
        )
        assert await agent.attachments(task.task_id) == [given, file]
        assert await agent.download(task.task_id, file.attachment_id) == content
        await agent.remove_attachment(task.task_id, given.attachment_id)
        other = stack.info["other"]["api_keys"]["admin"]
        async with Client(address, other) as stranger:
            with pytest.raises(NotFound):
                await stranger.download(task.task_id, file.attachment_id)
        with pytest.raises(InvalidArgument) as refused:
            await person.complete(task.task_id, {"receipts": [{"attachment_id": given.attachment_id}]})
        assert [(one.path, one.code) for one in refused.value.errors] == [("data.receipts[0]", "unknown_file")]
        done = await person.complete(task.task_id, {"receipts": [{"attachment_id": file.attachment_id}]})
        kept = file.model_dump(include={"attachment_id", "name", "media_type", "size"})
        assert done.result == {"receipts": [kept]}
