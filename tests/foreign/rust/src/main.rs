//! An extension with the crate that Rust's extensions are written with: it listens to events and to
//! the Telemetry API.

use lambda_extension::{
    service_fn, Error, Extension, LambdaEvent, LambdaTelemetry, LambdaTelemetryRecord, NextEvent,
    SharedService,
};

async fn hear(event: LambdaEvent) -> Result<(), Error> {
    match event.next {
        NextEvent::Invoke(invoke) => println!("heard INVOKE {}", invoke.request_id),
        NextEvent::Shutdown(shutdown) => {
            println!("heard SHUTDOWN {}", shutdown.shutdown_reason);
            std::process::exit(0); // the crate would ask for another event until it is killed
        }
    }
    Ok(())
}

async fn record(batch: Vec<LambdaTelemetry>) -> Result<(), Error> {
    for telemetry in batch {
        match telemetry.record {
            LambdaTelemetryRecord::Function(line) => println!("heard line {}", line.trim_end()),
            LambdaTelemetryRecord::PlatformRuntimeDone { request_id, .. } => {
                println!("heard done {request_id}")
            }
            _ => (),
        }
    }
    Ok(())
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    let port = std::env::var("TELEMETRY_PORT")?.parse()?;
    Extension::new()
        .with_events_processor(service_fn(hear))
        .with_telemetry_port_number(port)
        .with_telemetry_types(&["platform", "function"])
        .with_telemetry_processor(SharedService::new(service_fn(record)))
        .run()
        .await
}
