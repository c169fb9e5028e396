"""Binding refuses, with a sentence, operations that do not fit their service."""

import functools
from collections.abc import Callable
from typing import Any

import grpc
import pytest
from orkestra.wire import Context, Model
from wire_world import animal, authenticate, keeper, zoo


async def found(ctx: Context, request: Any) -> Any:
    return animal()


def bound(operations: object) -> None:
    zoo().add_zoo_service(grpc.aio.server(), operations, authenticate)


def changed(**members: Any) -> object:
    return type("Changed", (type(keeper(found)),), members)()


def method(request: object, answer: object) -> Callable[..., Any]:
    async def operation(self: object, ctx: Context, request: Any) -> Any:
        return animal()

    operation.__annotations__ = {"request": request, "return": answer}
    return operation


async def test_operations_that_fit_are_bound_decorated_ones_too() -> None:
    @functools.wraps(found)
    async def decorated(self: object, *arguments: Any) -> Any:
        return animal()

    decorated.__annotations__ = {"request": zoo().GetAnimalRequest, "return": zoo().Animal}
    bound(changed(get_animal=decorated))


@pytest.mark.parametrize(
    ("members", "sentence"),
    [
        (lambda _: {"get_animal": None}, r"Changed.get_animal is missing: the rpc wiretest.v1.ZooService.GetAnimal"),
        (
            lambda z: {"get_animal": method(z.Animal, z.Animal)},
            r"Changed.get_animal must take `request` as the model of wiretest.v1.GetAnimalRequest, not Animal",
        ),
        (
            lambda z: {"get_animal": method(z.GetAnimalRequest, z.AnimalCage)},
            r"Changed.get_animal must return the model of wiretest.v1.Animal, not AnimalCage",
        ),
        (lambda z: {"get_animal": method(z.GetAnimalRequest, Model)}, r"must return the model of wiretest.v1.Animal"),
        (lambda z: {"get_animal": method(int, z.Animal)}, r"wiretest.v1.GetAnimalRequest, not int"),
        (lambda _: {"open_rpcs": {"Nothing"}}, r"Changed.open_rpcs names Nothing, which ZooService does not have"),
    ],
)
async def test_operations_that_do_not_fit_are_refused(members: Callable[[Any], dict[str, Any]], sentence: str) -> None:
    with pytest.raises(TypeError, match=sentence):
        bound(changed(**members(zoo())))


async def test_a_method_without_annotations_is_refused() -> None:
    async def bare(self, ctx, request):  # type: ignore[no-untyped-def]  # the missing annotations are the case
        return animal()

    with pytest.raises(TypeError, match=r"must take `request` as the model of wiretest.v1.GetAnimalRequest, not None"):
        bound(changed(get_animal=bare))
