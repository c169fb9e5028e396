"""The only conftest: every test of the tree gets the testkit's fixtures."""

pytest_plugins = ["orkestra.testkit.plugin"]
