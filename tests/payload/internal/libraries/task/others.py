"""A function that uses libraries which OpenTelemetry's own instrumentors are for."""

import contextlib
import os
import sys


def handler(event, context):
    return globals()[event["do"]]()


def several():
    for work in (templates, database, client, web):
        work()
    return sorted(name for name in sys.modules if name.startswith("opentelemetry.sdk"))


def templates():
    import jinja2

    jinja2.Environment(autoescape=True).from_string("{{ a }}").render(a=1)


def database():
    import sqlalchemy

    engine = sqlalchemy.create_engine("sqlite://")
    with engine.connect() as connection:
        connection.execute(sqlalchemy.text("select 1"))
        with contextlib.suppress(sqlalchemy.exc.OperationalError):
            connection.execute(sqlalchemy.text("select nothing"))


def client():
    import httpx

    with httpx.Client() as session:
        session.get(os.environ["SERVICES_URL"] + "/web/200")
        session.get(os.environ["SERVICES_URL"] + "/web/404")


def web():
    import flask

    app = flask.Flask("orders")

    @app.route("/orders/<number>")
    def order(number):
        return {"number": number}

    app.test_client().get("/orders/7")
    app.test_client().get("/nothing")


def of_another_version():
    for work in (templates, database, web):
        work()


def within_packages():
    import django.conf
    import grpc  # noqa: F401
    import mysql.connector  # noqa: F401
    from opentelemetry.instrumentation.instrumentor import BaseInstrumentor

    django.conf.settings.configure(MIDDLEWARE=[], ROOT_URLCONF=__name__)
    import django.core.handlers.wsgi

    return sorted(
        kind.__name__
        for kind in BaseInstrumentor.__subclasses__()
        if kind._instance is not None and kind._instance.is_instrumented_by_opentelemetry
    )


def versions():
    import importlib.metadata

    import wrapt

    path = ["typing_extensions", "packaging"]
    return [wrapt.__file__, importlib.metadata.version("wrapt"), path == sys.path]


def versions_behind_the_backport():
    import importlib.metadata

    import importlib_metadata  # noqa: F401
    import opentelemetry.context

    version = importlib.metadata.version
    return [version("wrapt"), version("opentelemetry-api"), opentelemetry.context.__file__]


def unwanted():
    import flask
    import jinja2

    return [
        type(flask.Flask.wsgi_app).__name__,
        type(jinja2.Template.render).__name__,
        [name for name in sys.modules if name.startswith("opentelemetry")],
    ]
