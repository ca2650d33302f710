"""JupyterHub for a class on one Linux machine. README.md says how to install and start it, as root.

Users are those of the system in the group `course`. The server of each runs as this user, in a home
that nobody else reads. Server and kernels take the hub's own environment, which belongs to root.
"""

import sys
from pathlib import Path

GROUP = "course"  # who may log in: the members of this group of the system
SERVERS = 30  # at the same time; whoever comes later reads that all places are taken
MEMORY = 2 * 2**30  # bytes, for the data of one process; a cell that asks for more gets an error
IDLE = 3600  # seconds without use after which a kernel ends, or the server of a closed page

HERE = Path(__file__).resolve().parent
FIRST = "course/notebooks/01_discriminative_vs_generative.ipynb"

c = get_config()  # noqa: F821 (JupyterHub defines it)
c.JupyterHub.bind_url = "http://127.0.0.1:8000"  # this machine alone
c.JupyterHub.active_server_limit = SERVERS

# Passwords are the system's. No group of the hub's own, no administrator, and not root.
c.JupyterHub.authenticator_class = "pam"
c.PAMAuthenticator.allowed_groups = {GROUP}

# start.sh puts the course into the home, as the user. prlimit sets a bound that the user cannot
# raise, for the server and for each of its kernels. It bounds data, not addresses: torch reserves
# more of these than it uses. (This spawner ignores mem_limit.)
c.JupyterHub.spawner_class = "localprocess"
c.Spawner.cmd = [
    *("/bin/sh", str(HERE / "start.sh"), "prlimit", f"--data={MEMORY}"),
    *(sys.executable, "-m", "jupyterhub.singleuser"),
]
c.Spawner.args = [
    "--KernelManager.transport=ipc",  # other users could listen to a port
    f"--MappingKernelManager.cull_idle_timeout={IDLE}",
    "--MappingKernelManager.cull_connected=True",  # a page that is left open counts as idle too
]
c.Spawner.disable_user_config = True  # what a user writes does not reach the server
c.Spawner.default_url = f"/lab/tree/{FIRST}"
c.Spawner.start_timeout = c.Spawner.http_timeout = 120  # thirty start in the same minute
c.Spawner.environment = {
    "GOMP_SPINCOUNT": "10000",  # both as in the Makefile
    "OPENBLAS_NUM_THREADS": "1",
    # "AUTOENCODER_TO_VAE_CACHE": "/srv/images",  # a full data set, loaded once for all
}

# Ends the servers that nobody used for so long. An open page counts as use.
c.JupyterHub.services = [
    {
        "name": "idle-culler",
        "command": [
            *(sys.executable, "-m", "jupyterhub_idle_culler"),
            *(f"--timeout={IDLE}", "--cull-every=300"),
        ],
    }
]
c.JupyterHub.load_roles = [
    {
        "name": "idle-culler",
        "services": ["idle-culler"],
        "scopes": ["list:users", "read:users:activity", "read:servers", "delete:servers"],
    }
]
