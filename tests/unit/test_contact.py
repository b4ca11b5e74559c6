"""Tests that tell ground contact from collisions, and new contacts from old ones."""

from dataclasses import replace

import pytest

from followme_uav.config import load_config
from followme_uav.geometry import faces_up
from followme_uav.messages import Contact, MissionState, VehicleState
from followme_uav.pilot.contact import ContactJudge
from followme_uav.rpc.convert import EPOCH_NS, ContactFilter
from followme_uav.rpc.ground_contact import GroundContact

CONFIG = load_config().mission
LEVEL = (1.0, 0.0, 0.0, 0.0)
STILL = (0.0, 0.0, 0.0)
UP, WALL, ROOF = (0.0, 0.0, -1.0), (-1.0, 0.0, 0.0), (0.0, 0.0, 1.0)
FLYING = (MissionState.PATROL, MissionState.ACQUIRE, MissionState.FOLLOW, MissionState.SEARCH)


def vehicle(altitude_m=0.0, velocity_mps=STILL, normal=None, name="Ground"):
    contact = None if normal is None else Contact(name, normal)
    return VehicleState(
        0.0, (0.0, 0.0, -altitude_m), velocity_mps, LEVEL, STILL, contact is not None, contact
    )


def is_collision(state, touch, *before):
    judge = ContactJudge(CONFIG)
    for earlier in (vehicle(), *before):
        assert not judge.is_collision(earlier, state)
    return judge.is_collision(touch, state)


# Ground contact or collision


@pytest.mark.parametrize(
    ("state", "altitude_m"),
    [
        (MissionState.TAKEOFF, 0.0),
        (MissionState.LAND, 0.0),
        (MissionState.LAND, 0.8),  # on ground above the start
        (MissionState.LAND, -1.5),  # on ground below the start
        (MissionState.DONE, 0.0),
        (MissionState.FAILSAFE, 0.1),  # reset to the start by another client
    ],
)
@pytest.mark.parametrize("name", ["Ground", "Landscape_0", ""])
def test_ground_contact_is_no_collision_under_any_object_name(state, altitude_m, name):
    assert not is_collision(state, vehicle(altitude_m, normal=UP, name=name))


@pytest.mark.parametrize("state", list(MissionState))
@pytest.mark.parametrize("normal", [WALL, ROOF, (0.8, 0.0, -0.6)])
def test_contact_with_a_wall_or_a_roof_from_below_is_a_collision_in_every_state(state, normal):
    assert is_collision(state, vehicle(0.2, normal=normal))


@pytest.mark.parametrize("state", FLYING)
def test_ground_contact_in_flight_is_a_collision(state):
    assert is_collision(state, vehicle(2.5, (1.0, 0.0, 0.5), UP))


def test_contact_with_a_treetop_while_landing_is_a_collision():
    assert is_collision(MissionState.LAND, vehicle(4.0, (0.0, 0.0, 0.5), UP))


@pytest.mark.parametrize("state", [MissionState.TAKEOFF, MissionState.LAND])
def test_hard_ground_contact_is_a_collision_even_while_landing(state):
    hard_mps = (0.0, 0.0, CONFIG.hard_touch_mps + 0.5)
    assert is_collision(state, vehicle(0.0, hard_mps, UP))
    assert is_collision(state, vehicle(0.0, STILL, UP), vehicle(0.4, hard_mps))
    assert not is_collision(state, vehicle(0.0, STILL, UP), vehicle(0.4, (0.0, 0.0, 0.3)))


@pytest.mark.parametrize("contact", [None, Contact("", (0.0, 0.0, 0.0))])
def test_contact_without_a_normal_is_a_collision_once_airborne(contact):
    touch = replace(vehicle(3.0), has_collided=True, contact=contact)
    assert is_collision(MissionState.FOLLOW, touch)
    assert not is_collision(MissionState.TAKEOFF, touch)


def test_normals_of_any_length_within_45_degrees_of_up_face_up():
    assert faces_up((0.0, 0.6, -0.8)) and faces_up((0.0, 0.0, -0.001))
    assert not faces_up((0.0, 0.8, -0.6)) and not faces_up((0.0, 0.0, 0.0))


# New contacts

NOW_NS = EPOCH_NS + 10**12


def info(stamp_ns, has_collided=True, normal=UP):
    return {
        "has_collided": has_collided,
        "time_stamp": stamp_ns,
        "object_name": "Ground",
        "normal": dict(zip(("x_val", "y_val", "z_val"), normal, strict=True)),
    }


def test_contact_from_before_the_flight_is_not_new():
    contacts = ContactFilter()
    assert contacts.new_contact(info(NOW_NS - 10**9), NOW_NS) is None
    assert contacts.new_contact(info(NOW_NS + 5), NOW_NS + 10) == Contact("Ground", UP)


def test_name_of_a_contact_cannot_control_the_terminal():
    named = {**info(NOW_NS + 5), "object_name": "Wall\x1b[2J\n1"}
    contact = ContactFilter().new_contact(named, NOW_NS)
    assert contact == Contact("Wall\\x1b[2J 1", UP)


def test_contact_of_a_flag_that_stays_set_is_new_once():
    contacts = ContactFilter()
    contacts.new_contact(info(0, has_collided=False), NOW_NS)
    found = [contacts.new_contact(info(NOW_NS + 7), NOW_NS + 10 * i) for i in range(1, 5)]
    assert [contact is not None for contact in found] == [True, False, False, False]
    assert contacts.new_contact(info(NOW_NS + 45), NOW_NS + 50) is not None


def test_contacts_are_new_after_the_simulator_restarts():
    contacts = ContactFilter()
    contacts.new_contact(info(0, has_collided=False), NOW_NS + 10**11)
    assert contacts.new_contact(info(NOW_NS - 5), NOW_NS) is None
    assert contacts.new_contact(info(NOW_NS + 5), NOW_NS + 10) is not None


@pytest.mark.parametrize("stamp_ns", [0, NOW_NS // 10**6])
def test_flag_decides_when_its_time_stamp_cannot_be_compared(stamp_ns):
    contacts = ContactFilter()
    assert contacts.new_contact(info(stamp_ns), NOW_NS) is not None
    assert contacts.new_contact(info(stamp_ns), NOW_NS + 10) is not None


def test_normal_with_nan_is_replaced_by_zero():
    found = ContactFilter().new_contact(info(NOW_NS, normal=(float("nan"), 0.0, -1.0)), NOW_NS)
    assert found == Contact("Ground", STILL)


# Standing on the ground


def test_vehicle_stands_at_its_start_and_where_it_touched_the_ground():
    ground = GroundContact()
    assert not ground.is_certain
    ground.update(vehicle(0.0), landed_state=0)
    assert ground.is_certain
    ground.update(vehicle(4.5), landed_state=1)
    assert not ground.is_certain
    ground.update(vehicle(-2.0, (0.0, 0.0, 0.1), UP), landed_state=1)
    ground.update(vehicle(-2.0), landed_state=1)
    assert ground.is_certain


def test_hovering_vehicle_does_not_stand_although_landed_state_is_landed():
    ground = GroundContact()
    ground.update(vehicle(0.0), landed_state=0)
    ground.update(vehicle(4.5), landed_state=0)
    assert not ground.is_certain


def test_contact_with_a_wall_is_no_ground_contact():
    ground = GroundContact()
    ground.update(vehicle(3.0, normal=WALL), landed_state=1)
    assert not ground.is_certain


def test_vehicle_that_moves_at_ground_level_does_not_stand():
    ground = GroundContact()
    ground.update(vehicle(0.0), landed_state=0)
    ground.update(vehicle(0.1, (3.0, 0.0, 0.0)), landed_state=1)
    assert not ground.is_certain
