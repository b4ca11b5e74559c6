"""Ray clusters on this machine for tests; each node is a group of processes."""

from contextlib import contextmanager
from pathlib import Path

ATTEMPTS = 3
_NODE = {"object_store_memory": 10**8, "include_dashboard": False}


def attempted(start):
    """Start something of Ray, which gives itself 30 s only, on a machine that may be busy."""
    for attempt in range(ATTEMPTS):
        try:
            return start()
        except Exception as error:
            if "timed out during startup" not in str(error) or attempt == ATTEMPTS - 1:
                raise
    raise AssertionError


def add_node(cluster, **settings):
    """Add a node to a cluster; `settings` are those of Ray."""
    return attempted(lambda: cluster.add_node(**_NODE, **settings))


@contextmanager
def ray_cluster(nodes):
    """Start a cluster of nodes with one processor; they inherit the environment."""
    import ray
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, **_NODE}
    cluster = attempted(lambda: Cluster(initialize_head=True, head_node_args=head))
    try:
        for _ in range(nodes - 1):
            add_node(cluster, num_cpus=1)
        yield cluster
    finally:
        ray.shutdown()
        cluster.shutdown()


def processes_of(cluster):
    """Return the ids of the processes that start the workers of the first node, and of theirs."""
    return descendants(cluster.head_node.all_processes["raylet"][0].process.pid)


def descendants(pid):
    """Return the ids of a process and of all processes below it."""
    parents = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            parents[int(entry.name)] = int(fields[1])
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return sorted(found)
