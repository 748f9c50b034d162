using ImageStore.Shim.Events;
using ImageStore.Shim.Loop;
using ImageStore.Shim.Processes;
using ImageStore.Shim.Stdio;

namespace ImageStore.Shim.Tasks;

/// <summary>What all tasks of a shim share.</summary>
/// <param name="Tenant">containerd's namespace.</param>
/// <param name="Loop">Where everything runs.</param>
/// <param name="Children">Learns of ends.</param>
/// <param name="Unattended">Does what no call waits for.</param>
/// <param name="Commands">Runs the OCI runtime.</param>
/// <param name="Stdio">Opens input and output.</param>
/// <param name="Events">Tells containerd.</param>
internal sealed record ShimParts(
    string Tenant, EventLoop Loop, Children Children, Unattended Unattended, CommandRunner Commands, StdioFactory Stdio, EventPublisher Events);
