"""What a function's role may do, and where its network leads: other services of AWS know that."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..attach import explained

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..attach import LambdaApi


def denied_actions(api: LambdaApi, role: str, needed: Sequence[tuple[str, str]]) -> list[str]:
    """Which actions on which resources IAM would not allow a role."""
    client = api.client("iam")
    denied = []
    for action, resource in needed:
        with explained(f"the simulation of {action}"):
            answer = client.simulate_principal_policy(
                PolicySourceArn=role, ActionNames=[action], ResourceArns=[resource]
            )
        results = answer["EvaluationResults"]
        denied += [action for each in results if each["EvalDecision"] != "allowed"]
    return denied


def concrete(resource: str, function_arn: str) -> str:
    """A resource that a pattern of a policy matches: IAM simulates one at a time.

    In the region and account of the function, with some name where the pattern leaves it open.
    """
    if resource == "*":
        return resource
    parts, own = resource.split(":"), function_arn.split(":")
    region, account = own[3:5]
    parts[3:5] = [region if parts[3] == "*" else parts[3], account if parts[4] == "*" else parts[4]]
    return ":".join(parts).replace("??????", "AbCdEf").replace(":*", ":log-stream:wrapkit")


def subnets_without_route(api: LambdaApi, subnets: Sequence[str]) -> list[str]:
    """The subnets of a function from which the internet cannot be reached.

    A route through an internet gateway does not count: a function's network interface has no
    public address.
    """
    client = api.client("ec2")
    with explained("the route tables"):
        described = client.describe_subnets(SubnetIds=list(subnets))["Subnets"]
        vpcs = sorted({subnet["VpcId"] for subnet in described})
        tables = client.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": vpcs}])[
            "RouteTables"
        ]
    return [subnet for subnet in subnets if not has_way_out(subnet, tables)]


def has_way_out(subnet: str, tables: Sequence[dict[str, Any]]) -> bool:
    """Whether the route table of a subnet, its own or else the main one, leads to the internet."""

    def is_of(table: dict[str, Any], key: str, value: object) -> bool:
        return any(each.get(key) == value for each in table.get("Associations", []))

    own = [table for table in tables if is_of(table, "SubnetId", subnet)]
    table = (own or [table for table in tables if is_of(table, "Main", True)] or [{}])[0]
    return any(
        route.get("DestinationCidrBlock") == "0.0.0.0/0"
        and not str(route.get("GatewayId") or "").startswith("igw-")
        and route.get("State", "active") == "active"
        for route in table.get("Routes", [])
    )
