using System.Text;
using ImageStore.Shim.Interop;
using ImageStore.Shim.Invocation;
using ImageStore.Shim.Tasks;
using ImageStore.Store.Errors;

try
{
    var arguments = ShimArguments.Parse(args);
    if (arguments.IsVersionAsked)
    {
        InfoAction.PrintVersion();
        return ExitCode.Ok;
    }

    if (arguments.IsInfoAsked)
    {
        InfoAction.PrintInfo();
        return ExitCode.Ok;
    }

    if (arguments.Namespace.Length == 0 || arguments.Id.Length == 0)
    {
        throw new ImageStoreException(ErrorKind.InvalidArgument, "A namespace and an id are needed.", "containerd starts this program: see docs/shim.md.");
    }

    // It becomes a part of paths, of which one is unmounted.
    ProcessName.Check(arguments.Id);
    Signals.IgnoreBrokenPipes();
    switch (arguments.Action)
    {
        case "start":
            StartAction.Run(arguments);
            break;
        case "delete":
            DeleteAction.Run(arguments);
            break;
        case "":
            ServeAction.Run(arguments);
            break;
        default:
            throw new ImageStoreException(ErrorKind.InvalidArgument, $"There is no action {Printable.Of(arguments.Action)}.");
    }

    return ExitCode.Ok;
}
catch (Exception failure)
{
    var remedy = (failure as ImageStoreException)?.Remedy;
    StandardStreams.WriteError(Encoding.UTF8.GetBytes($"{InfoAction.RuntimeName}: {failure.Message}{(remedy is null ? string.Empty : " " + remedy)}\n"));
    return failure is ImageStoreException known ? ExitCode.Of(known.Kind) : ExitCode.Internal;
}
