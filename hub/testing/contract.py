"""The contract that every plugin keeps, first and third parties alike.

Each test is one small promise. Subclass `PluginContract` in `test_contract.py`; payload
files lie in `payloads/` beside it.
"""

import inspect
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings

from hub.sdk.actions import Action
from hub.sdk.connector_types import WebhookRequest
from hub.testing import acting, declarations, distribution, garbage, receiving, templates
from hub.testing.payloads import Payload, load_payloads
from hub.testing.subject import Subject
from hub.testing.transports import FAULTS, Fault

_PROPERTY = hypothesis_settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


class PluginContract:
    """The checks of a plugin; name the plugin and settings that work with its payloads.

    `params` gives an action's parameters where made-up ones won't do (names that the
    simulator knows), `records` the id of a record of a source object, `unseen` the reason
    why a trigger or field is in no payload, `beside` the plugins that this one builds upon.
    """

    plugin: ClassVar[ModuleType]
    settings: ClassVar[Mapping[str, Any]] = {}
    params: ClassVar[Mapping[str, Mapping[str, Any]]] = {}
    records: ClassVar[Mapping[str, str]] = {}
    unseen: ClassVar[Mapping[str, str]] = {}
    beside: ClassVar[Sequence[ModuleType]] = ()

    pytestmark = pytest.mark.contract

    # ----------------------------------------------------------------- declarations

    def test_the_hub_loads_it_whole(self, subject: Subject) -> None:
        """No misspelt hook, clash, dangling name or foreign prefix."""
        assert declarations.loading_faults(subject) == []

    def test_labels_are_well_formed(self, subject: Subject) -> None:
        """Labels begin with a capital letter and have no full stop."""
        assert declarations.label_faults(subject.declared) == []

    def test_whatever_takes_time_is_async(self, subject: Subject) -> None:
        """What calls the vendor is `async def`, what is pure is not."""
        assert declarations.waiting_faults(subject.declared) == []

    def test_secrets_are_secret(self, subject: Subject) -> None:
        """Secrets are SecretStr and absent from `repr`."""
        assert declarations.secret_faults(subject) == []

    def test_forms_explain_themselves(self, subject: Subject) -> None:
        """Each member of settings and parameters has a title and a description."""
        assert declarations.form_faults(subject.declared) == []

    def test_changes_say_what_they_write(self, subject: Subject) -> None:
        """Actions that set fields have `writes`, so that their echo is recognised."""
        assert declarations.writes_faults(subject.declared) == []

    def test_templates_make_rules(self, subject: Subject) -> None:
        """Every ruleset template gives rules with stable keys, whatever its parameters."""
        assert templates.template_faults(subject) == []

    # ----------------------------------------------------------------- receiving

    def test_a_payload_means_exactly_its_events(self, subject: Subject, payload: Payload) -> None:
        """The payload verifies and reads into the events that its file expects."""
        assert receiving.payload_faults(subject, payload) == []

    def test_values_are_of_their_fields_types(self, subject: Subject, payload: Payload) -> None:
        """Every value is of its field's type, every choice among its choices."""
        assert receiving.event_faults(subject, payload) == []

    def test_a_changed_byte_is_refused(self, subject: Subject, payload: Payload) -> None:
        """Nothing but what the vendor signed is accepted."""
        assert receiving.signature_faults(subject, payload) == []

    def test_every_trigger_and_field_is_seen(self, subject: Subject) -> None:
        """Every declared trigger and field is in some payload, or exempt with a reason."""
        if subject.receiving is None:
            pytest.skip("The plugin receives no deliveries.")
        assert receiving.unseen_faults(subject) == []

    def test_a_delivery_keeps_its_key(self, subject: Subject) -> None:
        """The same delivery twice has the same key, two deliveries have two."""
        if subject.receiving is None:
            pytest.skip("The plugin receives no deliveries.")
        assert receiving.key_faults(subject) == []

    def test_any_bytes_are_events_or_invalid(self, subject: Subject) -> None:
        """Whatever arrives, `parse` gives events or raises InvalidPayload."""
        if subject.receiving is None:
            pytest.skip("The plugin receives no deliveries.")
        _, receiver = receiving.receiver_of(subject)

        @_PROPERTY
        @given(garbage.requests(subject.payloads))
        def parses(request: WebhookRequest) -> None:
            assert receiving.garbage_fault(receiver, request) is None

        parses()

    def test_any_bytes_are_genuine_or_refused(self, subject: Subject) -> None:
        """Whatever arrives, `verify` passes or raises InvalidSignature."""
        if subject.receiving is None:
            pytest.skip("The plugin receives no deliveries.")
        declared, receiver = receiving.receiver_of(subject)
        settings = subject.read_settings(declared)

        @_PROPERTY
        @given(garbage.requests(subject.payloads))
        def verifies(request: WebhookRequest) -> None:
            assert receiving.unverified_fault(receiver, settings, request) is None

        verifies()

    # ----------------------------------------------------------------- acting

    def test_an_action_in_trouble_says_which(
        self, subject: Subject, action: Action[Any, Any], fault: Fault
    ) -> None:
        """Each answer a vendor may give becomes the right ConnectorError."""
        scene = acting.action_scene(subject, action)
        assert acting.waited(acting.fault_faults(scene, fault)) == []

    def test_a_check_in_trouble_says_which(
        self, subject: Subject, check: str, fault: Fault
    ) -> None:
        """Each answer a vendor may give becomes the right ConnectorError."""
        scene = acting.check_scene(subject, check)
        assert acting.waited(acting.fault_faults(scene, fault)) == []

    def test_an_action_works_on_the_simulator(
        self, subject: Subject, simulated_action: Action[Any, Any]
    ) -> None:
        """The action does its work and says what it did."""
        assert acting.waited(acting.result_faults(subject, simulated_action)) == []

    def test_the_same_key_twice_is_one_effect(
        self, subject: Subject, simulated_action: Action[Any, Any]
    ) -> None:
        """Sent again with its key, or found first, the action has one effect."""
        assert acting.waited(acting.repeat_faults(subject, simulated_action)) == []

    def test_writes_tells_the_truth(
        self, subject: Subject, simulated_action: Action[Any, Any]
    ) -> None:
        """The values that `writes` promises are those that the record then has."""
        assert acting.waited(acting.writes_faults(subject, simulated_action)) == []

    def test_a_check_passes_on_the_simulator(self, subject: Subject, simulated_check: str) -> None:
        """All checks pass where all is well."""
        scene = acting.check_scene(subject, simulated_check)
        assert acting.waited(acting.works_faults(scene)) == []

    def test_a_live_list_is_read_from_the_simulator(self, subject: Subject, choices: str) -> None:
        """Live lists have values, each once and with a label."""
        assert acting.waited(acting.choice_faults(subject, choices)) == []

    def test_a_poller_goes_on_from_its_cursor(self, subject: Subject, poller: str) -> None:
        """A page read with a cursor does not repeat what came before it."""
        assert acting.waited(acting.poller_faults(subject, poller)) == []

    # ----------------------------------------------------------------- the files

    def test_its_page_answers_the_usual_questions(self) -> None:
        """README.md has the six headings."""
        assert distribution.page_faults(distribution.distribution_folder(_folder(type(self)))) == []

    def test_no_file_holds_a_secret(self, subject: Subject) -> None:
        """Payload files and cassettes hold no secret of the settings."""
        assert distribution.leak_faults(subject, _folder(type(self))) == []

    def test_importing_it_is_cheap_and_opens_nothing(self) -> None:
        """Importing the plugin opens nothing and adds little to `import hub`."""
        assert distribution.import_faults(self.plugin) == []

    def test_saved_settings_are_still_accepted(self, subject: Subject) -> None:
        """Settings that fitted settings.schema.json still fit."""
        folder = distribution.distribution_folder(_folder(type(self)))
        assert distribution.settings_faults(subject, folder) == []

    # ----------------------------------------------------------------- how it works

    @pytest.fixture
    def subject(self) -> Subject:
        """Give the plugin with all that the class says."""
        return _subject(type(self))

    def pytest_generate_tests(self, metafunc: pytest.Metafunc) -> None:
        """Make one test for each payload, action, check and fault of the plugin."""
        subject = _subject(type(self))
        for name, cases in _cases(subject).items():
            if name in metafunc.fixturenames:
                metafunc.parametrize(name, list(cases.values()), ids=list(cases))


def _subject(contract: type[PluginContract]) -> Subject:
    if contract not in _SUBJECTS:
        _SUBJECTS[contract] = _made(contract)
    return _SUBJECTS[contract]


_SUBJECTS: dict[type[PluginContract], Subject] = {}


def _made(contract: type[PluginContract]) -> Subject:
    return Subject(
        plugin=contract.plugin,
        settings=contract.settings,
        payloads=load_payloads(_folder(contract) / "payloads"),
        params=contract.params,
        records=contract.records,
        unseen=contract.unseen,
        beside=contract.beside,
    )


def _folder(contract: type[PluginContract]) -> Path:
    return Path(inspect.getfile(contract)).resolve().parent


def _cases(subject: Subject) -> Mapping[str, Mapping[str, Any]]:
    types = subject.connector_types
    simulated = {name: one for name, one in types.items() if one.simulator}
    actions = {one.name: one for one in subject.declared.actions}
    return {
        "payload": {one.name: one for one in subject.payloads},
        "action": actions,
        "simulated_action": {
            name: one for name, one in actions.items() if one.connector_type in simulated
        },
        "check": _names(types, "checks"),
        "simulated_check": _names(simulated, "checks"),
        "choices": _names(simulated, "choices"),
        "poller": {
            poller.source_object: poller.source_object
            for one in simulated.values()
            for poller in one.pollers
        },
        "fault": {one.name: one for one in FAULTS},
    }


def _names(types: Mapping[str, Any], member: str) -> Mapping[str, str]:
    names = [f"{name}.{part.name}" for name, one in types.items() for part in getattr(one, member)]
    return {name: name for name in names}
