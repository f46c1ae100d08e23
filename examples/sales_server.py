"""Sends sales to every client: lines month,product,category,profit.

usage: sales_server.py [--port 9181] [--sales 100] [--pause 0.05] [--linger 6] [--seed 1]

The connection stays open for some seconds after the last sale, so that windows of processing time end before the job does.
"""

import argparse
import random
import socket
import time

MONTHS = ["June", "July", "August"]
PRODUCTS = {
    "Category1": ["Television", "Camera"],
    "Category2": ["Tablet", "Laptop"],
    "Category5": ["Bat", "PC", "Steamer"],
}


def sales(count, seed):
    generator = random.Random(seed)
    for _ in range(count):
        category = generator.choice(sorted(PRODUCTS))
        product = generator.choice(PRODUCTS[category])
        yield f"{generator.choice(MONTHS)},{product},{category},{generator.randint(5, 80)}"


def main():
    parser = argparse.ArgumentParser(description="Sends sales to whoever connects.")
    parser.add_argument("--port", type=int, default=9181)
    parser.add_argument("--sales", type=int, default=100)
    parser.add_argument("--pause", type=float, default=0.05, help="seconds between two sales")
    parser.add_argument("--linger", type=float, default=6, help="seconds after the last one")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with socket.create_server(("127.0.0.1", options.port)) as server:
        print(f"listening on port {server.getsockname()[1]}", flush=True)
        connection, _ = server.accept()
        with connection:
            for sale in sales(options.sales, options.seed):
                connection.sendall(f"{sale}\n".encode())
                time.sleep(options.pause)
            time.sleep(options.linger)


if __name__ == "__main__":
    main()
