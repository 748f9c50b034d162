namespace ImageStore.Integration.Tests.Tasks;

/// <summary>Our daemon with the shim of Debian's containerd.</summary>
public static class DaemonWithRuncsShim
{
    private const string Name = "our daemon with runc's shim";

    /// <summary>One for all, whose leftovers are looked for when all are done.</summary>
    [CollectionDefinition(Name)]
    public sealed class Group : ICollectionFixture<Node>;

    public sealed class Node() : TaskNode("io.containerd.runc.v2", "containerd-shim-runc-v2")
    {
        public override string Shim => Support.Run.Find("containerd-shim-runc-v2") ?? throw new InvalidOperationException("There is no shim of runc: install containerd.");

        protected override string Command() => $"{Built("imagestored")} --root {Work}/root --state {Work}/state --address {Socket}";
    }

    [Collection(Name)]
    public sealed class Events(Node node) : EventTests(node);

    [Collection(Name)]
    public sealed class Run(Node node) : RunTests(node);

    [Collection(Name)]
    public sealed class Stdio(Node node) : StdioTests(node);

    [Collection(Name)]
    public sealed class Survival(Node node) : SurvivalTests(node);

    [Collection(Name)]
    public sealed class Tasks(Node node) : TaskTests(node);
}
