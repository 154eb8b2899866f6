# For those who have a container engine; "make image" makes the same image without one.
FROM golang:1.26 AS build
WORKDIR /src
COPY . .
ARG VERSION=unknown
RUN CGO_ENABLED=0 go build -trimpath -ldflags "-s -w -X main.version=$VERSION" -o /out/convene ./cmd/convene && mkdir -p /out/data /out/tmp

FROM scratch
COPY --from=build /out/convene /convene
COPY --from=build --chown=65532:65532 /out/data /data
COPY --from=build --chown=65532:65532 /out/tmp /tmp
USER 65532:65532
WORKDIR /data
VOLUME /data
EXPOSE 8443
STOPSIGNAL SIGTERM
ENTRYPOINT ["/convene"]
CMD ["dev", "--listen", "0.0.0.0:8443", "--data", "/data", "--expose"]
