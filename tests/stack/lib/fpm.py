# SPDX-License-Identifier: MIT
"""php-fpm's configuration."""
import box


def master(lines=""):
    box.put("/etc/php/8.2/fpm/php-fpm.conf", "[global]\npid = /run/php/php8.2-fpm.pid\n"
            f"error_log = /var/log/php8.2-fpm.log\n{lines}include = /etc/php/8.2/fpm/pool.d/*.conf\n")


def pool(name, user, socket, lines, children=2):
    """`lines`: what else it has, who may connect at least."""
    box.put(f"/etc/php/8.2/fpm/pool.d/{name}.conf",
            f"[{name}]\nuser = {user}\ngroup = {user}\nlisten = {socket}\npm = static\n"
            f"pm.max_children = {children}\ncatch_workers_output = yes\n{lines}")
