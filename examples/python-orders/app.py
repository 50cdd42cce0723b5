"""Prices an order: reads it from DynamoDB, asks the price service, and stores the total."""

import json
import os

import boto3
import requests

dynamodb = boto3.client("dynamodb")
session = requests.Session()

TABLE = os.environ.get("ORDERS_TABLE", "orders")
PRICES_URL = os.environ.get("PRICES_URL", "http://127.0.0.1:8001")


class OrderNotFoundError(Exception):
    """There is no order of this id."""


def handler(event, _context):
    """Answer an API Gateway request, or a direct invocation with an `order_id`."""
    order_id = order_id_of(event)
    order = load(order_id)
    total_cents = unit_price_cents(order["sku"]["S"]) * int(order["quantity"]["N"])
    dynamodb.put_item(TableName=TABLE, Item={**order, "total_cents": {"N": str(total_cents)}})
    print(f"order {order_id}: {total_cents / 100:.2f} EUR")
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": json.dumps({"order_id": order_id, "total_cents": total_cents}),
    }


def order_id_of(event):
    if "pathParameters" in event:
        return event["pathParameters"]["order_id"]
    return event["order_id"]


def load(order_id):
    answer = dynamodb.get_item(TableName=TABLE, Key={"order_id": {"S": order_id}})
    if "Item" not in answer:
        raise OrderNotFoundError(f"there is no order {order_id}")
    return answer["Item"]


def unit_price_cents(sku):
    answer = session.get(f"{PRICES_URL}/prices/{sku}", timeout=2)
    answer.raise_for_status()
    return answer.json()["unit_price_cents"]
