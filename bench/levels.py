"""What a guest hypervisor's work costs beneath so many CPs (tests/guest/vmx_probe.c), by the mode of virtual VMX."""
import functools
import re

from record import costs, figure, harness, vmn, wanted

LEVELS = {"chain": (1, 2, 3, 5, 9), "memory": (1, 2, 3, 5), "shadow": (1, 2, 3, 5), "trap": (1, 2)}
TRIPS = {1: 8000, 2: 4000, 3: 1000, 5: 200, 9: 4000}
SLOW_TRIPS = {("chain", 3): 4000, ("chain", 5): 4000, ("shadow", 5): 40, ("trap", 1): 4000, ("trap", 2): 400}
PEER = {"round_trip": {1: 12331, 2: 225704, 3: 3628168}, "exits_per_trip": {1: 2, 2: 119, 3: 1170},
        "cpuid": {1: 964, 2: 14065, 3: 209986}}
BOUND = {"round_trip": {1: 1500, 2: 12000, 3: 80000}, "cpuid": {1: 250, 2: 2500, 3: 15000}}
CHAIN_BOUND = {"round_trip": {1: 1400, 2: 2500, 3: 2500, 5: 2500, 9: 2800},
               "cpuid": {1: 200, 2: 1600, 3: 1800, 5: 1800, 9: 2000},
               "page_round_trip": {1: 1300, 2: 2000, 3: 2000, 5: 2000, 9: 2200},
               "vmptrld_switch": {1: 650, 2: 1000, 3: 1000, 5: 1000, 9: 1100}}
EXITS_BOUND = {"chain": dict.fromkeys((1, 2, 3, 5, 9), 2), "memory": {1: 2, 2: 4, 3: 8}, "shadow": {1: 2, 2: 10, 3: 60}}
SHADOWED = ("vmread_exit_reason", "vmread_guest_rip", "vmwrite_guest_rip", "vmread_host_rip", "vmwrite_host_rip")


def beneath(levels, mode, *more):
    memory = "1024" if levels > 5 else "512"
    return ("--levels", str(levels), "--nesting", mode, "--memory", memory, "--ipl", harness.guest("vmx_probe"), *more)


def exits_per_trip(levels, mode, machine="bochs", way=""):
    """Two runs that differ in nothing but their round trips. What CP's timer and real interrupts cause is taken off."""
    most = SLOW_TRIPS.get((mode, levels), TRIPS[levels])
    count = {}
    for trips in (most // 4, most):
        said = vmn(*beneath(levels, mode, "--append", f"trips={trips}{way}"), machine=machine)[1]
        exits, asynchronous = map(int, re.search(r"VMN-COUNT exits=(\d+) asynchronous=(\d+)", said).groups())
        count[trips] = exits - asynchronous
    return round((count[most] - count[most // 4]) / (most - most // 4), 1)


def beneath_so_many(n, mode, floor):
    cost = costs(vmn(*beneath(n, mode))[0])
    values = {"round_trip": cost["round_trip"], "exits_per_trip": exits_per_trip(n, mode), "cpuid": cost["own_cpuid"]}
    bare = {"round_trip": floor["round_trip"], "exits_per_trip": 0, "cpuid": floor["own_cpuid"]}
    shadowing = mode in EXITS_BOUND
    bounds = CHAIN_BOUND if mode == "chain" else BOUND
    for name, value in values.items():
        bound = EXITS_BOUND.get(mode) if name == "exits_per_trip" else bounds[name]
        figure(f"{mode}_{n}_{name}", value, "exits" if name == "exits_per_trip" else "instructions", floor=bare[name],
               peer=PEER[name].get(n) if shadowing else None, bound=bound.get(n) if shadowing else None)
    for name in SHADOWED:
        figure(f"{mode}_{n}_{name}", cost[name], floor=floor[name], bound=floor[name] if shadowing else None)
    figure(f"{mode}_{n}_vmptrld_switch", cost["vmptrld_switch"], floor=floor["vmptrld_switch"],
           bound=CHAIN_BOUND["vmptrld_switch"][n] if mode == "chain" else None)
    if mode == "chain":
        by_page = costs(vmn(*beneath(n, mode, "--append", "way=memory"))[0])
        figure(f"{mode}_{n}_page_round_trip", by_page["round_trip"], floor=floor["round_trip"],
               bound=CHAIN_BOUND["page_round_trip"][n])
    figure(f"{mode}_{n}_compute", round(100 * cost["compute_own"] / floor["compute_own"] - 100, 2), "% more",
           floor=0, bound=1)


def mode_at_all_depths(mode):
    floor = costs(vmn("--lines", "1", env={"VMN_CP": harness.guest("vmx_probe")})[0])
    for n in LEVELS[mode]:
        if wanted(f"{mode}_{n}"):
            beneath_so_many(n, mode, floor)


PARTS = {mode: functools.partial(mode_at_all_depths, mode) for mode in LEVELS}
