"""What sysfs says of heat, of a slowed processor and of voltage, laid out in a folder."""

from __future__ import annotations

import pytest

from agent.machine_heat import HOT_C, HOT_X86_C, read_heat


@pytest.fixture
def sys(tmp_path):
    """Writes files below the folder that it gives."""

    def lay(**files):
        for name, text in files.items():
            file = tmp_path / name.replace("__", "/")
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(f"{text}\n")
        return tmp_path

    return lay


def zone(number, kind, millicelsius):
    folder = f"class__thermal__thermal_zone{number}"
    return {f"{folder}__type": kind, f"{folder}__temp": millicelsius}


def test_the_sensor_nearest_to_its_own_limit_counts_and_those_of_other_parts_do_not(sys):
    heat = read_heat(
        sys(
            **zone(0, "x86_pkg_temp", 84_000),
            **zone(1, "acpitz", 71_000),
            **zone(2, "iwlwifi_1", 99_000),
            **zone(3, "cpu-thermal", "nonsense"),
            class__hwmon__hwmon0__name="k10temp",
            class__hwmon__hwmon0__temp1_input=60_000,
        )
    )
    assert [(each.name, each.celsius, each.hot_c) for each in heat.sensors] == [
        ("x86_pkg_temp", 84.0, HOT_X86_C),
        ("acpitz", 71.0, HOT_C),
        ("k10temp", 60.0, HOT_X86_C),
    ]
    assert heat.hottest is not None
    assert (heat.hottest.name, heat.is_hot) == ("acpitz", False)


def test_a_raspberry_pi_tells_of_slowing_and_voltage_by_its_firmware_and_by_its_alarm(sys):
    firmware = "devices__platform__soc__soc:firmware__get_throttled"
    heat = read_heat(sys(**{firmware: "50004"}))
    assert (heat.slowed, heat.under_voltage) == ("the firmware", False)
    alarm = {"class__hwmon__hwmon1__name": "rpi_volt", "class__hwmon__hwmon1__in0_lcrit_alarm": 1}
    assert read_heat(sys(**alarm)).under_voltage is True
    assert read_heat(sys(class__hwmon__hwmon1__in0_lcrit_alarm=0)).under_voltage is False


def test_other_boards_tell_by_the_kernels_cooling_devices_and_by_counts(sys):
    thermal = "class__thermal__cooling_device"
    cool = {f"{thermal}0__type": "pwm-fan", f"{thermal}0__cur_state": 3, f"{thermal}1__type": "cpufreq-cpu0"}
    assert read_heat(sys(**cool)).slowed == ""
    assert read_heat(sys(**{f"{thermal}1__cur_state": 2})).slowed == "cpufreq-cpu0"
    counts = {
        f"devices__system__cpu__cpu{n}__thermal_throttle__package_throttle_count": n + 4 for n in range(2)
    }
    assert read_heat(sys(**counts)).events == 5


def test_a_machine_that_tells_nothing_is_neither_hot_nor_slow(tmp_path):
    heat = read_heat(tmp_path)
    assert (heat.hottest, heat.is_hot, heat.slowed, heat.events, heat.under_voltage) == (
        None,
        False,
        "",
        0,
        None,
    )
