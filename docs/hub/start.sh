#!/bin/sh
# Runs in front of a user's server, as this user: nobody else reads the home, and the course lies in
# it. What is there is never overwritten; to begin again, rename the folder and start anew.
set -e
umask 077
[ ! -O "$HOME" ] || chmod 700 "$HOME"
repository=$(cd "$(dirname "$0")/../.." && pwd)
if [ ! -e "$HOME/course" ]; then
    new=$(mktemp -d "$HOME/.course.XXXXXX")
    cp -R "$repository/notebooks" "$repository/img" "$new"
    mkdir "$new/docs"
    cp "$repository"/docs/*.md "$new/docs"
    mv "$new" "$HOME/course"
fi
# A kernel's sockets lie here, and their whole path may have 107 characters.
export JUPYTER_RUNTIME_DIR="$HOME/.jupyter-run"
exec "$@"
