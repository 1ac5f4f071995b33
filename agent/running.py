"""The parts of a running agent that need camera, codecs or pages, joined together. Part of the wiring."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from functools import partial

from agent import VERSION, selftest_plan
from agent.alive import Alive, any_of, runtime_folder
from agent.alive_screen import PagesAnswer, feeds_move
from agent.board_media import capture_settings
from agent.call_control import CallControl
from agent.call_told import CallTold
from agent.call_watch_joined import WatchedCall
from agent.config import Settings, keep_complete
from agent.contract.status import Clock, Info, Storage
from agent.contract.unit_config import SoundOutput
from agent.controller import MAX_SCREENS, Controller
from agent.device_faults import DeviceFaults, note_device_faults, take_as_room_faults
from agent.identity import Identity
from agent.machine import read_totals
from agent.media import facts
from agent.media.aiortc_internals import host_addresses
from agent.media.camera_gate import CameraGate
from agent.media.capture import Capture
from agent.media.media_socket import PortRange
from agent.media.presence import missing_devices
from agent.media.server_finder import ServerFinder, trusted
from agent.media.video_codec import ffmpeg_version
from agent.meeting_camera import MeetingCamera
from agent.meeting_talk import MeetingTalk
from agent.network import NetworkWatch
from agent.path_joined import path_probes
from agent.probes.checks import Checks
from agent.probes.machine_joined import machine_probes
from agent.probes.sound import SoundParts, sound_parts
from agent.reception import Reception
from agent.room import IN_USE, TEST_TIMEOUT, FaultFound
from agent.room_parts import RoomParts
from agent.scan_media import Mirrors
from agent.screen_alive import ScreenAlive
from agent.selftest import AGAIN_WITHIN_S, Probe, SelfTester
from agent.selftest_joined import stages, tells
from agent.speech import Espeak
from agent.still_serving import pages_of
from agent.survey import Survey, Surveyor, machine_digest, survey_command
from agent.telemetry import Telemetry
from agent.touches import Touches
from agent.touches_meeting import MeetingTouches
from agent.unit import Unit
from agent.unit_parts import Tests
from agent.update.told import image_and_slot
from agent.verdict import Verdict
from agent.wire import Wire
from firmware.board import Board
from systemd import daemon
from web.room import Server, create_app, serve
from web.room.catalogue import catalogues

log = logging.getLogger(__name__)

WEB_THREADS = 16


class Running:
    """Joins unit, wire, media and pages; every callback between them is set here."""

    def __init__(
        self,
        settings: Settings,
        board: Board,
        identity: Identity,
        unit: Unit,
        *,
        boot: int,
        gate: CameraGate,
    ) -> None:
        self._settings = settings
        self._board = board
        self._identity = identity
        self._unit = unit
        unit.at_night = selftest_plan.night(identity.unit)
        unit.test_within = timedelta(seconds=settings.test_within_s)
        self._gate = gate
        self._capture_settings = capture_settings(board, settings, gate)
        self._size_mm = (board.screen.width_mm, board.screen.height_mm)
        self._survey, self._camera_form = Survey(), ""
        self.clock_report: Callable[[], Clock | None] = lambda: None
        """Whoever knows the machine's clock sets it."""
        self.storage_report: Callable[[], Storage | None] = lambda: None
        """Whoever watches over the storage sets it."""
        self.known_commands: tuple[str, ...] = ()
        self.panel_report: Callable[[], str] = str
        self._surveyor = self._make_surveyor()
        self.about: Callable[[Info], Info] = lambda info: info
        """What other parts of the agent add to what the unit says of itself."""
        self.checks: list[Callable[[], Verdict | None]] = []
        """What other parts of the agent find out in a self-test."""
        self._finder = ServerFinder(partial(trusted, settings.ca_file))
        self.screen_alive = ScreenAlive(settings.run_folder)
        tell = tells(unit, settings.run_folder)
        self._tester = SelfTester(
            self._stages(),
            tell,
            lambda: unit.present(),  # noqa: PLW0108 - the panel sets it
            again_within_s=AGAIN_WITHIN_S * (unit.test_within / TEST_TIMEOUT),
        )
        self._attempt = 0
        self._told = CallTold(unit)
        self.calls = self._told.calls = self._make_calls()
        self.wire = Wire(unit, identity, boot=boot, info=self._info)
        self.wire.calls, self._told.wire = self.calls, self.wire
        self.telemetry = Telemetry(
            self.calls,
            unit.clock,
            session=unit.held,
            send=self.wire.quality,
            read_machine=partial(read_totals, sys=settings.sys_dir),
        )
        self.touches = Touches(
            unit,
            intend=self.wire.intent,
            set_microphone=self.calls.set_microphone,
            set_camera=self.calls.set_camera,
            notices=self.wire.notices,
        )
        self.watched_call = WatchedCall(unit, self.calls)
        self._join_meeting()
        self._voice = Espeak()
        unit.speech = self._voice.languages
        self._keep_complete_languages()
        self.reception = Reception(unit, self.wire.notices, self.wire.intent)
        self._parts = self._make_parts()
        unit.media = self.calls
        unit.region = self.wire
        unit.tests = Tests(start=self._tester.start, stop=self._tester.stop)
        self._controller = self._make_controller()
        unit.on_change = self._controller.show
        unit.screens = lambda: self._controller.screens
        unit.ice_urls = lambda: self.calls.ice_urls

    def _make_controller(self) -> Controller:
        return Controller(
            asyncio.get_running_loop(),
            self.touches,
            Mirrors(self.calls, self._parts.scan_media),
            self._unit.screen(),
            on_shown=self.telemetry.shown,
            on_watched=self._parts.scanning.watched,
            on_still=self.watched_call.stands_still,
        )

    def _make_calls(self) -> CallControl:
        return CallControl(
            make_capture=self._make_capture,
            settings=self._call_settings(),
            finder=self._finder,
            before_open=self._before_open,
            next_attempt=self._next_attempt,
            on_fact=self._told.fact,
            on_lost=self._told.lost,
            on_device_error=self._told.device_error,
            on_opened=self._unit.changed,
            device_faults=DeviceFaults(note_device_faults(self._unit), take_as_room_faults(self._unit)),
        )

    def _make_parts(self) -> RoomParts:
        return RoomParts(
            self._unit,
            self._board,
            self.touches,
            capture_settings=lambda: self._capture_settings,
            call_settings=self._call_settings,
            before_open=self._tester.over,
            next_generation=self._next_attempt,
        )

    def _join_meeting(self) -> None:
        """What pages say over the call, and what the touchscreen asks of the meeting."""
        self._talk = self._told.talk = MeetingTalk(self._unit, self.calls)
        self._camera = MeetingCamera(self._unit, self.calls)
        for kind, handler in self._camera.messages.items():
            self._talk.on(kind, handler)
        self._talk.on("state", self.watched_call.party_says)
        self._told.greeters = [self._talk.greet, self._camera.tell, self.watched_call.greet]
        about_meeting = MeetingTouches(
            self._unit, self.wire, is_staff=self.touches.is_staff, tell_beside=self._talk.tell_beside
        )
        self.touches.add({**about_meeting.handlers, **self._camera.touches})
        self._unit.meeting.has_hand_camera = self._board.hand_camera is not None

    def _keep_complete_languages(self) -> None:
        unit = self._unit
        unit.complete_languages = frozenset(catalogues())
        unit.configuration, left_out = keep_complete(unit.configuration, unit.complete_languages)
        for fault in left_out:
            log.warning("configuration: %s", fault)

    def _make_surveyor(self) -> Surveyor:
        return Surveyor(
            self._unit.store,
            machine_digest(self._board, ffmpeg_version()),
            survey_command(self._settings.board),
            is_free=lambda: self._unit.room.state not in IN_USE and self._tester.is_over,
            on_found=self._surveyed,
        )

    def serve(self) -> Server:
        """Serve the touchscreen's pages on localhost."""
        self._pages = replace(
            pages_of(self._settings, self._board, max_streams=MAX_SCREENS), size_mm=lambda: self._size_mm
        )
        loop = asyncio.get_running_loop()

        def info_changed() -> None:
            loop.call_soon_threadsafe(self.wire.info_changed)

        self.screen_alive.on_browser = info_changed
        app = create_app(self._controller, self._pages, self._voice, self.screen_alive.painted)
        return serve(app, "127.0.0.1", self._settings.web_port, WEB_THREADS)

    def resize(self, width_mm: float, height_mm: float) -> None:
        """The touchscreen is so large; its pages are laid out by that."""
        if (width_mm, height_mm) != self._size_mm:
            self._size_mm = (width_mm, height_mm)
            self._controller.resized(self._pages.px_per_mm)

    def use_devices(self, board: Board) -> None:
        """Take this board's cameras, microphone and ways of hearing from the next time that they are opened."""
        self._board = board
        self._capture_settings = capture_settings(board, self._settings, self._gate)
        self._surveyed(self._survey)
        self._unit.meeting.has_hand_camera = board.hand_camera is not None
        loudspeaker = board.loudspeaker
        only: dict[SoundOutput, str] = {"loudspeaker": loudspeaker.target} if loudspeaker.target else {}
        self._parts.sound.use(loudspeaker.outputs or only)

    async def stop_media(self) -> None:
        """Close camera, microphone and every connection."""
        await self._surveyor.stop()
        self._tester.stop()
        await self._tester.over()
        await self._parts.stop()
        await self.calls.stop()

    def _surveyed(self, found: Survey) -> None:
        self._survey = found
        settings = self._capture_settings
        camera = replace(settings.camera, costs_ms={**settings.camera.costs_ms, **found.camera_costs_ms})
        order = found.order(self._board.encoders)
        self._capture_settings = replace(settings, camera=camera, encoders=order)
        self.wire.info_changed()

    def watch_network(self) -> NetworkWatch:
        """Notice at once when this machine's addresses change; close() the watch to end that."""
        self.calls.network_changed(frozenset(host_addresses()))
        return NetworkWatch(self._network_changed)

    def _network_changed(self) -> None:
        addresses = frozenset(host_addresses())
        self.wire.network_changed(addresses)
        self.calls.network_changed(addresses)

    async def look_around(self) -> None:
        """Say what is missing before anybody needs it; the self-test then finds out whether the rest works. Which
        encoders do is found out in the background; the answer of an earlier start holds."""
        self._surveyor.start()
        for name, why in (await missing_devices(self._capture_settings)).items():
            log.error("%s", why)
            self._unit.room_event(FaultFound(name))

    def watched(self, web: Server) -> Alive:
        """Who feeds systemd's watchdog, as long as all of this moves."""
        feeds = feeds_move(self._controller.oldest_asked_at)
        pages = PagesAnswer(web.port, time.monotonic())
        return Alive(
            daemon.notify, kept=runtime_folder(self._settings.state_dir), screen=any_of((feeds, pages))
        )

    def notify(self, state: str) -> None:
        """Tell systemd where we are (sd_notify(3)); nothing happens when systemd did not start us."""
        daemon.notify(state)

    def _make_capture(self) -> Capture:
        return Capture(
            asyncio.get_running_loop(),
            self._capture_settings,
            on_level=self._controller.level,
            on_view=self._camera.viewed,
        )

    async def _before_open(self) -> None:
        self._camera.opened()
        self.calls.settings = self._call_settings()
        await self._tester.over()
        await self._parts.scan_media.closed()

    def _call_settings(self) -> facts.CallSettings:
        network = self._unit.configuration.network
        return facts.CallSettings(
            loopback_candidates=self._settings.loopback_media,
            relay_only=network.ice_transport_policy == "relay",
            media_ports=PortRange.parse(network.media_ports) if network.media_ports else None,
            dscp=network.dscp,
        )

    def _next_attempt(self) -> int:
        """Grows also over a restart, since a page drops attempts older than the one it knows."""
        self._attempt = max(self._attempt + 1, int(self._unit.clock.now().timestamp() * 1000))
        return self._attempt

    def _stages(self) -> list[list[Probe]]:
        unit = self._unit
        path, line = path_probes(
            lambda: self.wire, unit.clock.monotonic_s, self._finder.tls, self._call_settings
        )
        machine = machine_probes(
            self,
            unit,
            self._identity,
            screen=lambda: self._board.screen,
            oldest_asked_at=lambda: self._controller.oldest_asked_at(),  # noqa: PLW0108 - made later
            sys=self._settings.sys_dir,
        )
        others: list[Probe] = [path, Checks(self.checks), *machine]
        return stages(
            unit,
            line,
            others,
            capture=lambda: self._capture_settings,
            sound=self._sound_parts,
            on_form=self._camera_tried,
        )

    def _sound_parts(self) -> SoundParts:
        return sound_parts(self._board, self._capture_settings.microphone, self._parts.sound.chosen)

    def _camera_tried(self, form: str) -> None:
        if form and form != self._camera_form:
            self._camera_form = form
            self.wire.info_changed()

    def _info(self) -> Info:
        info = Info(
            software=VERSION,
            board=self._board.name,
            encoder=self._capture_settings.encoders[0],
            encoders=self._survey.encoders,
            camera=self._camera_form,
            panel=self.panel_report(),
            certificate_sha256=self._identity.certificate_sha256,
            certificate_not_after=self._identity.not_after,
            abilities=("code", "qr", "staff", "button"),
            commands=self.known_commands,
            addresses=tuple(sorted(host_addresses()))[:20],
            clock=self.clock_report(),
            browser=self.screen_alive.browser,
            **image_and_slot(),
            storage=self.storage_report(),
        )
        return self.about(info)
