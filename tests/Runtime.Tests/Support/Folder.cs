namespace ImageStore.Runtime.Tests.Support;

/// <summary>A directory for one test: the root filesystem of an image that a stranger made.</summary>
internal sealed class Folder : IDisposable
{
    private readonly DirectoryInfo _work = Directory.CreateTempSubdirectory("runtime-");

    public string Path => _work.FullName;

    public string In(string name) => System.IO.Path.Combine(Path, name);

    public string Write(string name, string text)
    {
        Directory.CreateDirectory(System.IO.Path.GetDirectoryName(In(name))!);
        File.WriteAllText(In(name), text);
        return In(name);
    }

    public void Dispose() => _work.Delete(recursive: true);
}
