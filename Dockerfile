# Andaman in one image: the code with its locked packages, run by a user who may write to /data alone.
FROM python:3.13-slim-bookworm AS build
RUN python -m venv /opt/andaman
COPY requirements.lock /tmp/
RUN /opt/andaman/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes \
    --only-binary :all: -r /tmp/requirements.lock
COPY . /srv/andaman
RUN /opt/andaman/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps \
    --no-build-isolation --editable /srv/andaman

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --user-group --no-create-home andaman \
    && install -d -o andaman -g andaman -m 0700 /data \
    && install -d -o andaman -g andaman -m 0755 /tokens \
    && install -d -o andaman -g 1883 -m 2750 /mosquitto/access
COPY --from=build /opt/andaman /opt/andaman
COPY --from=build /srv/andaman /srv/andaman
ENV PATH=/opt/andaman/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1
WORKDIR /srv/andaman
USER 10001:10001
EXPOSE 8080
VOLUME /data
HEALTHCHECK --interval=10s --timeout=5s --start-period=30s CMD \
    ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/health/live', timeout=3)"]
ENTRYPOINT ["andaman"]
CMD ["run"]
