namespace ImageStore.Runtime.Shims;

/// <summary>Who starts shims, as they are told.</summary>
/// <param name="Address">The path of the gRPC socket; empty where there is none.</param>
/// <param name="EventsAddress">The path of the ttrpc socket that takes events; empty where nobody does.</param>
internal sealed record ShimCaller(string Address, string EventsAddress);
